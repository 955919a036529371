import specc
from specc.ops.registry import operators

# Every operator has a form at every opset that is written, so one loses its own for a moment.
operator = operators()["gelu"]
object.__setattr__(operator, "onnx", {})
specc.compile("net Net(x: [N, 8]) -> [N, 8] { x |> gelu }").onnx(opset=17)
