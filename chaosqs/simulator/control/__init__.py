"""Every operation of Lambda that a queue's consumer needs, as a function of parameters in botocore's shapes."""
