"""What leaves the house: data sets that others can use without this program."""

VERSION = 1
