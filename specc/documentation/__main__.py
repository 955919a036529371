"""``python -m specc.documentation FOLDER``: writes the pages that are made from tables."""

from __future__ import annotations

import sys
from pathlib import Path

from specc.documentation.errors import errors_page
from specc.documentation.markdown import operators_page

if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs")
    (folder / "operators.md").write_text(operators_page(), encoding="utf-8", newline="\n")
    examples = Path("tests") / "golden" / "errors"
    (folder / "errors.md").write_text(errors_page(examples), encoding="utf-8", newline="\n")
