"""What a repetition means: figures with reasons, against the person's own calibration and reference."""
