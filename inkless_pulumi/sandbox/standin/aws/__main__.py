"""`python -m inkless_pulumi.sandbox.standin.aws`: the plugin process."""

from inkless_pulumi.sandbox.standin.aws.cloud import Aws
from inkless_pulumi.sandbox.standin.process import serve

if __name__ == "__main__":
    serve(Aws())
