"""Ranks the topics of a message: sentence embeddings beside character n-grams."""

from __future__ import annotations

import logging
from typing import Any, Dict, List, Optional

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.exceptions import InvalidConfigException
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from nlu.embedder import EmbeddingCache, embed
from nlu.examples_index import language_classes
from nlu.keys import LANGUAGE
from nlu.linear import Knobs, LinearTopics, train
from settings import cache_dir
from text.normalise import light

logger = logging.getLogger(__name__)

MODEL_FILE = "topics.npz"
EMBEDDINGS_FILE = "embeddings.npz"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class TopicClassifier(GraphComponent, IntentClassifier):
    """Sets ``intent`` and the whole ``intent_ranking``, with calibrated probabilities."""

    def __init__(
        self,
        config: Dict[str, Any],
        model: Optional[LinearTopics],
        model_storage: ModelStorage,
        resource: Resource,
    ) -> None:
        """Keeps the trained model, if there is one."""
        self._config = config
        self._model = model
        self._model_storage = model_storage
        self._resource = resource

    @staticmethod
    def get_default_config() -> Dict[str, Any]:
        """The component's defaults; tell docs/understanding.md when one changes."""
        return {
            # inverse strength of regularisation of the two regressions
            "dense_c": Knobs.dense_c,
            "ngram_c": Knobs.ngram_c,
            # how much the n-grams say beside the embedding
            "ngram_weight": Knobs.ngram_weight,
        }

    @classmethod
    def validate_config(cls, config: Dict[str, Any]) -> None:
        """Raises ``InvalidConfigException`` naming the key that cannot be used."""
        for key in ("dense_c", "ngram_c"):
            if not config.get(key, 1) > 0:
                raise InvalidConfigException(f"TopicClassifier: {key} must be above 0")
        if config.get("ngram_weight", 0) < 0:
            raise InvalidConfigException("TopicClassifier: ngram_weight must not be negative")

    @classmethod
    def create(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> TopicClassifier:
        """Creates an untrained component (see parent class for full docstring)."""
        cls.validate_config(config)
        return cls(config, None, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> TopicClassifier:
        """Loads a trained component (see parent class for full docstring)."""
        with model_storage.read_from(resource) as folder:
            model = LinearTopics.from_bytes((folder / MODEL_FILE).read_bytes())
        embed(["warm"])  # the first embedding loads the weights: better now than on somebody's message
        return cls(config, model, model_storage, resource)

    def train(self, training_data: TrainingData) -> Resource:
        """Fits the model on all examples that have an intent."""
        classes = language_classes()
        rows = [(m.get(TEXT), m.get(INTENT)) for m in training_data.intent_examples if m.get(TEXT)]
        texts = [light(text, _language_of(classes.get(text))) for text, _ in rows]
        vectors = EmbeddingCache(cache_dir() / EMBEDDINGS_FILE).embed(texts, progress=_say_progress)
        knobs = Knobs(**{key: self._config[key] for key in ("dense_c", "ngram_c", "ngram_weight")})
        self._model = train(vectors, [text for text, _ in rows], [topic for _, topic in rows], knobs, logger.info)
        with self._model_storage.write_to(self._resource) as folder:
            (folder / MODEL_FILE).write_bytes(self._model.to_bytes())
        return self._resource

    def process(self, messages: List[Message]) -> List[Message]:
        """Ranks the topics of each message; a message without words gets no ranking."""
        for message in messages:
            if self._model is None or not light(message.get(TEXT) or ""):
                continue
            ranking = self._ranking(self._model, message)
            message.set(INTENT, ranking[0], add_to_output=True)
            message.set("intent_ranking", ranking, add_to_output=True)
        return messages

    def _ranking(self, model: LinearTopics, message: Message) -> List[Dict[str, Any]]:
        text = message.get(TEXT)
        language = (message.get(LANGUAGE) or {}).get("code")
        vector = embed([light(text, language)])[0]
        probabilities = model.probabilities(vector, text)
        order = np.argsort(-probabilities)
        return [{"name": model.classes[i], "confidence": float(probabilities[i])} for i in order]


def _language_of(language_class: Optional[str]) -> Optional[str]:
    if language_class is None or "-" in language_class:
        return None
    return language_class


def _say_progress(done: int, total: int) -> None:
    logger.info("embedded %d of %d new examples", done, total)
