"""`python -m barstep` is the command `barstep`."""

import sys

from .cli.app import main

sys.exit(main())
