"""What is known to lie in shared memory, recognised from its bytes."""
