"""Laws on the plane: mixtures whose means span a plane, propagated through samplers."""
