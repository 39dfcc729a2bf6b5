"""Scripts that are run by the interpreters of other environments; they share ``serving``."""
