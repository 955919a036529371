import specc

specc.compile("std.lenet").build("no/such/folder/lenet.py")
