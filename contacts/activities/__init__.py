"""Activities: what may be logged, who takes part, what follows, and their list."""
