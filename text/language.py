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
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from text.ngrams import Sparse, hashed
from text.normalise import light
from text.scripts import ARABIC, LATIN, SCRIPT_LANGUAGES, dominant_script
from text.tokens import words

OURS = ("ar", "fa", "ps", "ur", "en")
UNDETERMINED = "und"
ROMANISED_SUFFIX = "-latn"

_BUCKETS = 1 << 16
_LONGEST = 4
_IN_ARABIC_SCRIPT = frozenset({"ar", "fa", "ps", "ur", "ckb", "ug", "sd"})
# Classes that are finer than ISO 639-1: two ways of writing Kurdish, and languages in Latin letters.
_ISO = {"ckb": "ku", "kmr": "ku", "bnl": "bn", "nel": "ne", "rul": "ru"}
_EVEN = str.maketrans({"ك": "ک", "ي": "ی", "ى": "ی"})


@dataclass(frozen=True)
class Identified:
    """A language with the probability that it is the one; ``romanised`` if in Latin letters.

    ``variety`` is finer than an ISO 639-1 code where that hides the writing: Sorani (``ckb``) and
    Kurmanji (``kmr``) are both ``ku``.
    """

    language: str
    probability: float
    script: str | None
    romanised: bool = False
    variety: str = ""

    @property
    def ours(self) -> bool:
        """Whether it is one of the five."""
        return self.language in OURS


class LanguageModel:
    """Weights of the n-grams for each class; a class is ``ar``, ``ar-latn``, ``fr``, …"""

    def __init__(self, classes: Sequence[str], weights: npt.NDArray[np.float32], bias: npt.NDArray[np.float32]) -> None:
        self.classes = tuple(classes)
        self._weights = weights
        self._bias = bias
        self._scripts = {
            LATIN: self._mask(lambda name: name not in _IN_ARABIC_SCRIPT),
            ARABIC: self._mask(lambda name: name in _IN_ARABIC_SCRIPT),
        }

    def identify(self, text: str) -> Identified:
        """The most probable language of a message."""
        script = dominant_script(light(text))
        if script is None:
            return Identified(UNDETERMINED, 0.0, None)
        if script not in self._scripts:
            return Identified(SCRIPT_LANGUAGES.get(script, UNDETERMINED), 1.0, script)
        probabilities = self.probabilities(text, script)
        best = int(np.argmax(probabilities))
        name = self.classes[best]
        language = name.removesuffix(ROMANISED_SUFFIX)
        code = _ISO.get(language, language)
        return Identified(code, float(probabilities[best]), script, name.endswith(ROMANISED_SUFFIX), variety=language)

    def probabilities(self, text: str, script: str) -> npt.NDArray[np.float32]:
        """The probability of each class, those of another script at zero."""
        buckets, values = features(text)
        scores = self._bias + values @ self._weights[buckets] if len(buckets) else self._bias.copy()
        scores = np.where(self._scripts[script], scores, -np.inf)
        exponents = np.exp(scores - scores.max())
        result: npt.NDArray[np.float32] = exponents / exponents.sum()
        return result

    def to_bytes(self) -> bytes:
        """The model as a file."""
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer, classes=np.array(self.classes), weights=self._weights.astype(np.float16), bias=self._bias
        )
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> LanguageModel:
        """The model of a file written by :meth:`to_bytes`; raises ``ValueError`` where it is none."""
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as stored:
                return cls([str(c) for c in stored["classes"]], stored["weights"].astype(np.float32), stored["bias"])
        except (zipfile.BadZipFile, zlib.error, EOFError, KeyError) as error:
            raise ValueError("not a language model") from error

    def _mask(self, wanted: Callable[[str], bool]) -> npt.NDArray[np.bool_]:
        return np.array([wanted(name) for name in self.classes], dtype=bool)


def identify_by_letters(text: str) -> Identified:
    """A guess from letters alone, for the moment before any model is trained."""
    script = dominant_script(light(text))
    if script == LATIN:
        return Identified("en", 0.5, script)
    if script != ARABIC:
        return Identified(SCRIPT_LANGUAGES.get(script or "", UNDETERMINED), 0.5, script)
    for language, letters in _TELLING_LETTERS.items():
        if any(letter in text for letter in letters):
            return Identified(language, 0.5, script)
    return Identified("ar", 0.4, script)


_TELLING_LETTERS = {"ps": "ټډړږښځڅڼېۍ", "ur": "ٹڈڑںےھہ", "fa": "پچژگ"}


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
    return LanguageModel(names, model.coef_.T.astype(np.float32).copy(), model.intercept_.astype(np.float32))


@lru_cache(maxsize=4096)
def features(text: str) -> Sparse:
    """Hashed n-grams of one to four characters within words, and whole words."""
    even = light(text).casefold().translate(_EVEN)
    return hashed(words(even), shortest=1, longest=_LONGEST, buckets=_BUCKETS)
