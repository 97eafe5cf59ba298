"""Tests of the Helm chart, on what real Helm makes of it."""
