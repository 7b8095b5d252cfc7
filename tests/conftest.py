pytest_plugins = ["tests.services.no_skips", "tests.services.fixtures", "tests.databases"]
