"""Names the language of a message, romanised text included."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Optional

import yaml
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from nlu.examples_index import language_classes
from nlu.keys import LANGUAGE
from text.language import LanguageModel, train

ROOT = Path(__file__).resolve().parent.parent
OTHERS = ROOT / "text" / "lang" / "others.yml"
MODEL_FILE = "language.npz"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=True)
class LanguageIdentifier(GraphComponent):
    """Sets ``language`` on every message: code, probability, script, romanised or not."""

    def __init__(self, model: Optional[LanguageModel], model_storage: ModelStorage, resource: Resource) -> None:
        """Keeps the trained model, if there is one."""
        self._model = model
        self._model_storage = model_storage
        self._resource = resource

    @classmethod
    def create(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> LanguageIdentifier:
        """Creates an untrained component (see parent class for full docstring)."""
        return cls(None, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> LanguageIdentifier:
        """Loads a trained component (see parent class for full docstring)."""
        with model_storage.read_from(resource) as folder:
            model = LanguageModel.from_bytes((folder / MODEL_FILE).read_bytes())
        return cls(model, model_storage, resource)

    @classmethod
    def fingerprint_addon(cls, config: Dict[str, Any]) -> Optional[str]:
        """Retrains where the sentences of other languages, which Rasa does not see, have changed."""
        return OTHERS.read_text(encoding="utf-8") if OTHERS.is_file() else None

    def train(self, training_data: TrainingData) -> Resource:
        """Fits the model on the examples and on sentences in other languages."""
        texts, classes = [], []
        known = language_classes()
        for message in training_data.training_examples:
            text = message.get(TEXT)
            if text in known:
                texts.append(text)
                classes.append(known[text])
        others = yaml.safe_load(OTHERS.read_text(encoding="utf-8")) if OTHERS.is_file() else {}
        for code, sentences in others.items():
            texts += sentences
            classes += [code] * len(sentences)
        self._model = train(texts, classes)
        with self._model_storage.write_to(self._resource) as folder:
            (folder / MODEL_FILE).write_bytes(self._model.to_bytes())
        return self._resource

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Leaves the examples alone: their language is known from where they stand."""
        return training_data

    def process(self, messages: List[Message]) -> List[Message]:
        """Sets the language of each message."""
        for message in messages:
            if self._model is None:
                continue
            found = self._model.identify(message.get(TEXT) or "")
            value = {
                "code": found.language,
                "probability": round(found.probability, 4),
                "script": found.script,
                "romanised": found.romanised,
            }
            message.set(LANGUAGE, value, add_to_output=True)
        return messages
