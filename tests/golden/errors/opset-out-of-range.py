import specc

specc.compile("std.lenet").onnx(opset=11)
