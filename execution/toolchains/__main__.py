"""`python -m execution.toolchains`: the toolchain commands without Django, for use before the service is set up."""

import sys

from execution.environment import home, load_env_file
from execution.toolchains.cli import main

load_env_file()
sys.exit(main(sys.argv[1:], home()))
