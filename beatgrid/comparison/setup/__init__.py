"""Steps after an installation, run by the interpreter of the environment that they mend."""
