"""Say so: pure functions of the recorded results, and the command line."""
