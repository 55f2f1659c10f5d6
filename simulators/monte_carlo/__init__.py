"""Monte Carlo enclosures with stated error rates, for targets whose laws have no exact reduction."""
