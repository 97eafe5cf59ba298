"""One module for each command, each with `run(arguments, console)`; loaded when it is called for."""
