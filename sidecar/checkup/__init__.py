"""What works here and what does not: the facts behind `promptreel doctor`. Changes nothing."""
