"""``make check``: Rasa's own validation of domain, examples and rules, with every warning an error."""

from __future__ import annotations

import subprocess
import sys

from settings import ROOT

# Said by libraries on import, not of our data.
_NOISE = ("DeprecationWarning", "site-packages", "declarative_base", " tf.")


def main() -> int:
    """Run ``rasa data validate``; 0 where it says nothing about our data."""
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-m", "rasa", "data", "validate"]
    where = ["--domain", "domain", "--data", "nlu/examples", "rules", "--config", "config.yml", "--fail-on-warnings"]
    done = subprocess.run([*command, *where], cwd=ROOT, capture_output=True, text=True, check=False)
    said = [line for line in (done.stdout + done.stderr).splitlines() if _is_ours(line)]
    if done.returncode or said:
        sys.stderr.write("\n".join(said or (done.stdout + done.stderr).splitlines()[-10:]) + "\n")
        return 1
    sys.stdout.write("rasa data validate: nothing to say\n")
    return 0


def _is_ours(line: str) -> bool:
    warned = "UserWarning" in line or " WARNING " in line or " ERROR " in line
    return warned and not any(noise in line for noise in _NOISE)


if __name__ == "__main__":
    sys.exit(main())
