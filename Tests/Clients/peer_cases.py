"""What llama.cpp's server promises in its tests, asked of this server in its own API.

    python Tests/Clients/peer_cases.py http://127.0.0.1:8080 --martlet .build/release/martlet

Every case of llama.cpp's `tools/server/tests/unit` has a line in the table that is printed: *kept* where the same is
promised and holds here, *refused* where it is not done and the server says so, with the cure, and *not meaningful*
where there is nothing to ask. What is kept or refused is tested here, in our own words and with our own inputs; a case
whose test fails is *broken*, and the suite ends with 1. SmolLM2-135M-Instruct or another small chat model is served.
"""

import argparse, sys

parser = argparse.ArgumentParser()
parser.add_argument("base")
parser.add_argument("--martlet", help="the command, for cases that need a server of their own")
parser.add_argument("--only", help="cases whose name holds this")
arguments = parser.parse_args()

# Each adds its cases to the table; they read the address where every suite does.
import peer_chat_cases, peer_completion_cases, peer_server_cases  # noqa: E402, F401
from peer_table import report  # noqa: E402

sys.exit(0 if report(arguments.only) else 1)
