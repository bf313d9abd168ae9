"""A comparison of methods under equal conditions: its grid, runs, results and tables."""
