import specc

TEXT = """
device left  = cuda:0 | cpu
device right = cuda:1 | cpu
net Halves(x: [N, 4]) -> [N, 4] { x |> Linear(8) on left |> Linear(4) on right }
"""
specc.compile(TEXT, devices={"lefd": "cpu"})
