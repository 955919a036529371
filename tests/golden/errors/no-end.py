import specc
from specc.verification.parity import verify

program = specc.compile("""\
net Growing(x: [4]) -> [4] {
    while mean(x) < max(x) + 1 { x = x + 1 }
    return x
}
""")
try:
    verify(program.network, program.onnx(), limit=0.2)
except specc.frontend.diagnostics.Fault as fault:
    raise specc.SpecError([fault.fact.diagnostic()], program.sources) from None
