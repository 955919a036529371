import specc

TEXT = """
device first = cuda:98 | cuda:99
net Line(x: [N, 4]) -> [N, 4] { x |> Linear(4) on first }
"""
specc.compile(TEXT).module()
