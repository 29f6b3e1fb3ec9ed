"""The Measure view: charts of distributions, the flash patch, and the panel that runs tests."""
