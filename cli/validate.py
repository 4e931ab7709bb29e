"""``make check``: Rasa's own validation of domain, examples and rules, with every warning an error.

The program's own lines (interface, safety lines, lines of the gateway: those whose metadata has a
``kind``) are said by the gateway and the NLG, never by a rule, so that they stand unused in rules is
as it should be. An answer that no rule says still fails.
"""

from __future__ import annotations

import re
import subprocess
import sys

from content.source import read_responses
from settings import ROOT

# Said by libraries on import, not of our data.
_NOISE = ("DeprecationWarning", "MovedIn20Warning", "declarative_base", " tf.")
_UNUSED = re.compile(r"The utterance '(\w+)' is not used in any story or rule")


def main() -> int:
    """Run ``rasa data validate``; 0 where it says nothing about our data."""
    command = [sys.executable, "-m", "rasa", "data", "validate"]
    where = ["--domain", "domain", "--data", "nlu/examples", "rules", "--config", "config.yml"]
    done = subprocess.run([*command, *where], cwd=ROOT, capture_output=True, text=True, check=False)
    lines = (done.stdout + done.stderr).splitlines()
    own_lines = program_lines()
    said = [line for line in lines if _is_ours(line, own_lines)]
    if done.returncode or said:
        sys.stderr.write("\n".join(said or lines[-10:]) + "\n")
        return 1
    sys.stdout.write("rasa data validate: nothing to say\n")
    return 0


def program_lines() -> frozenset[str]:
    """The responses that the program itself says."""
    responses = read_responses(ROOT / "domain").values()
    return frozenset(response.name for response in responses if response.default.metadata.get("kind"))


def _is_ours(line: str, own_lines: frozenset[str]) -> bool:
    unused = _UNUSED.search(line)
    if unused and unused[1] in own_lines:
        return False
    warned = "UserWarning" in line or " WARNING " in line or " ERROR " in line
    return warned and not any(noise in line for noise in _NOISE)


if __name__ == "__main__":
    sys.exit(main())
