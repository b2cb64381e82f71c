"""Networks in ONNX files, read by our own reader: what it does not know it refuses."""
