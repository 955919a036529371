"""A compiler for neural networks: a ``.net`` text becomes a PyTorch module and an ONNX graph."""
