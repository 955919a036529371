import specc

specc.compile("std.lenet").build("lenet.tflite")
