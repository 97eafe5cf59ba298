"""`python -m groundcover_istio`."""

from groundcover_istio.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
