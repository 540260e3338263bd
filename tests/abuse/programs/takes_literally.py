# Prints what it was started with.
import json
import os
import sys

print(json.dumps([sys.argv[1:], {name: os.environ[name] for name in os.environ if name.startswith(("T_", "LD_"))}]))
