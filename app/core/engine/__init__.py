"""A Region with its Sampler, Journal and tests, behind commands and answers."""
