"""Which language a message is in: our five, romanised or not, or one that we do not speak.

A linear model over hashed character n-grams, trained from the examples (``nlu/examples``) and from
sentences in other languages (``text/lang/others.yml``). It reads a form in which kaf and yeh are
even, so that a foreign keyboard does not change the answer, while letters that belong to one
language alone (ټ, ٹ, ے, پ) still speak. Numpy only: the gateway uses it without Rasa.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from text import lang
from text.lang import codes
from text.ngrams import Sparse, hashed
from text.normalise import light
from text.scripts import LATIN, SCRIPT_LANGUAGES, dominant_script
from text.tokens import words

OURS = codes()
UNDETERMINED = "und"
ROMANISED_SUFFIX = "-latn"

_BUCKETS = 1 << 16
_LONGEST = 4
# Classes that are finer than ISO 639-1: two ways of writing Kurdish, and languages in Latin letters.
_ISO = {"ckb": "ku", "kmr": "ku", "bnl": "bn", "nel": "ne", "rul": "ru"}
_GUESS = 0.5
_LIKELY = 0.03
_EVEN = str.maketrans({"ك": "ک", "ي": "ی", "ى": "ی"})


@dataclass(frozen=True)
class Identified:
    """A language with the probability that it is the one; ``romanised`` if in Latin letters.

    ``variety`` is finer than an ISO 639-1 code where that hides the writing: Sorani (``ckb``) and
    Kurmanji (``kmr``) are both ``ku``. ``candidates`` are those of our languages that it may well be:
    word lists of all of them are tried, and of no other.
    """

    language: str
    probability: float
    script: str | None
    romanised: bool = False
    variety: str = ""
    candidates: tuple[str, ...] = ()

    @property
    def ours(self) -> bool:
        """Whether it is one of the five."""
        return self.language in OURS


class LanguageModel:
    """Weights of the n-grams for each class; a class is ``ar``, ``ar-latn``, ``fr``, …"""

    def __init__(
        self,
        classes: Sequence[str],
        scripts: Sequence[str],
        weights: npt.NDArray[np.float32],
        bias: npt.NDArray[np.float32],
    ) -> None:
        self.classes = tuple(classes)
        self._weights = weights
        self._bias = bias
        self._class_scripts = tuple(scripts)
        self._masks = {script: np.array([one == script for one in scripts], dtype=bool) for script in set(scripts)}

    def identify(self, text: str) -> Identified:
        """The most probable language of a message."""
        script = dominant_script(light(text))
        if script is None:
            return Identified(UNDETERMINED, 0.0, None)
        if script not in self._masks:
            return Identified(SCRIPT_LANGUAGES.get(script, UNDETERMINED), 1.0, script)
        probabilities = self.probabilities(text, script)
        best = int(np.argmax(probabilities))
        name = self.classes[best]
        language = name.removesuffix(ROMANISED_SUFFIX)
        code = _ISO.get(language, language)
        return Identified(
            code,
            float(probabilities[best]),
            script,
            name.endswith(ROMANISED_SUFFIX),
            variety=language,
            candidates=self._candidates(probabilities),
        )

    def _candidates(self, probabilities: npt.NDArray[np.float32]) -> tuple[str, ...]:
        likely = (self.classes[i].removesuffix(ROMANISED_SUFFIX) for i in np.flatnonzero(probabilities >= _LIKELY))
        return tuple(sorted({code for code in likely if code in OURS}))

    def probabilities(self, text: str, script: str) -> npt.NDArray[np.float32]:
        """The probability of each class, those of another script at zero."""
        buckets, values = features(text)
        scores = self._bias + values @ self._weights[buckets] if len(buckets) else self._bias.copy()
        scores = np.where(self._masks[script], scores, -np.inf)
        exponents = np.exp(scores - scores.max())
        result: npt.NDArray[np.float32] = exponents / exponents.sum()
        return result

    def to_bytes(self) -> bytes:
        """The model as a file."""
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            classes=np.array(self.classes),
            scripts=np.array(self._class_scripts),
            weights=self._weights.astype(np.float16),
            bias=self._bias,
        )
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> LanguageModel:
        """The model of a file written by :meth:`to_bytes`; raises ``ValueError`` where it is none."""
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as stored:
                names, scripts = ([str(one) for one in stored[key]] for key in ("classes", "scripts"))
                return cls(names, scripts, stored["weights"].astype(np.float32), stored["bias"])
        except (zipfile.BadZipFile, zlib.error, EOFError, KeyError) as error:
            raise ValueError("not a language model") from error


def identify_by_letters(text: str) -> Identified:
    """A guess from letters alone, for the moment before any model is trained."""
    script = dominant_script(light(text))
    written = [code for code in codes() if lang.script(code) == script]
    if not written:
        return Identified(SCRIPT_LANGUAGES.get(script or "", UNDETERMINED), _GUESS, script)
    counts = {code: sum(letter in lang.telling(code) for letter in text) for code in written}
    # Letters of Farsi are also letters of Pashto and Urdu, which have more: theirs decide.
    told = sorted((code for code in written if counts[code]), key=lambda code: -len(lang.telling(code)))
    # A language without letters of its own is what is left where no other shows.
    silent = [code for code in written if not lang.telling(code)]
    return Identified((told or silent or written)[0], _GUESS, script, candidates=tuple(written))


def train(texts: Sequence[str], classes: Sequence[str]) -> LanguageModel:
    """Fit the model; needs scikit-learn, which the gateway does not."""
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import SGDClassifier

    rows = [features(text) for text in texts]
    indptr = np.cumsum([0] + [len(buckets) for buckets, _ in rows])
    matrix = csr_matrix(
        (np.concatenate([v for _, v in rows]), np.concatenate([b for b, _ in rows]), indptr),
        shape=(len(rows), _BUCKETS),
    )
    model = SGDClassifier(loss="log_loss", alpha=2e-6, class_weight="balanced", max_iter=30, tol=1e-4, random_state=7)
    model.fit(matrix, list(classes))
    names = [str(name) for name in model.classes_]
    weights = model.coef_.T.astype(np.float32).copy()
    return LanguageModel(names, _scripts_of(names, texts, classes), weights, model.intercept_.astype(np.float32))


def _scripts_of(names: Sequence[str], texts: Sequence[str], classes: Sequence[str]) -> list[str]:
    """The script that most texts of each class are in."""
    seen: dict[str, Counter[str]] = {name: Counter() for name in names}
    for text, name in zip(texts, classes):
        seen[name][dominant_script(text) or LATIN] += 1
    return [seen[name].most_common(1)[0][0] for name in names]


@lru_cache(maxsize=4096)
def features(text: str) -> Sparse:
    """Hashed n-grams of one to four characters within words, and whole words."""
    even = light(text).casefold().translate(_EVEN)
    return hashed(words(even), shortest=1, longest=_LONGEST, buckets=_BUCKETS)
