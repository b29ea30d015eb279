"""Values in, values out: samples become features on the absolute hop grid, whatever the cut of the input."""
