"""`python -m chaosqs` is the command `chaosqs`."""

from chaosqs.cli import main

if __name__ == "__main__":
    main()
