"""Cases that are looked at one by one: models, and targets that are not Gaussian."""
