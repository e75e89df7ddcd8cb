"""The simulated servers' own proof: they speak as recorded servers did, and judge as strictly."""
