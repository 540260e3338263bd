"""What a tool says no to."""


class ToolRefused(Exception):
    """The tool cannot do it, for a reason of the program's: its text is the tool's own words, for the user."""
