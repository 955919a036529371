import torch

import specc

program = specc.compile("std.lenet")
torch.save(program.module().state_dict(), "lenet.pt")
program.onnx(weights="lenet.pt")
