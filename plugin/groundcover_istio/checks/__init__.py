"""check: findings on manifests, mesh configs and values files. One module for each rule."""
