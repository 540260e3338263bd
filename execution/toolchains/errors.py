"""What can go wrong with a toolchain. Each message is for the operator and says what to do next.

ToolchainError
├── UnknownCompiler     no such id in the catalogue
├── RecipeInvalid       a recipe.toml that cannot be read
├── SettingsInvalid     the operator's toolchains.toml is wrong
├── SourceUnreachable   this machine cannot use this source; the recipe's next one is tried
└── InstallFailed       the source was there and the installation broke
"""


class ToolchainError(Exception):
    pass


class UnknownCompiler(ToolchainError):
    pass


class RecipeInvalid(ToolchainError):
    pass


class SettingsInvalid(ToolchainError):
    pass


class SourceUnreachable(ToolchainError):
    pass


class InstallFailed(ToolchainError):
    pass
