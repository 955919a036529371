import specc

specc.compile("std.lennet")
