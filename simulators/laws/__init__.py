"""Laws that targets, forward processes and samplers produce, and the divergences along their paths."""
