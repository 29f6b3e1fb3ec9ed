"""The list of devices and the guide for setting one up."""
