"""The fine-tuned sentence encoder: how it is made (offline) and how it is run (numpy, ONNX Runtime)."""
