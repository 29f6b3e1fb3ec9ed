"""One region's Region, Sampler and Journal behind commands and answers, here or in a process."""
