"""Make Istio send its traces to the groundcover sensor, by patching rendered manifests."""

__version__ = "0.1.0"
