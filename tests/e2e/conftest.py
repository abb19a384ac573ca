import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import harness  # noqa: E402
import judged  # noqa: E402


@pytest.fixture(scope="session")
def how_to():
    """A server with the how-to's template published and PFXCONN01$ allowed to use it."""
    server = harness.Server().start()
    publish_how_to(server)
    yield server
    server.remove()


def publish_how_to(server):
    server.ctl("template", "duplicate", "User", "--display-name", "Intune PKCS", "--compat-ca", "2008R2",
               "--compat-recipient", "7", "--allow-export", "yes", "--minimum-key-size", "2048", "--subject", "request",
               "--application-policies", "encrypting-file-system,secure-email,client-authentication")
    server.ctl("template", "acl", "grant", "IntunePKCS", "CORP\\PFXCONN01$", "Read", "Enroll")
    server.ctl("ca", "acl", "grant", "CORP\\PFXCONN01$", "IssueAndManageCertificates", "RequestCertificates")
    server.ctl("ca", "publish", "IntunePKCS")


@pytest.fixture
def fresh():
    """Makes servers with a state of their own: fresh("--seed", "1")."""
    made = []

    def make(*args, **kwargs):
        server = harness.Server(*args, **kwargs)
        made.append(server)
        return server.start()

    yield make
    for server in made:
        server.remove()


SUMMARY = []


@pytest.fixture
def record_summary():
    """A line for the end of the run: record_summary("HRESULTs reached: 45")."""
    return SUMMARY.append


def pytest_terminal_summary(terminalreporter):
    for line in [*SUMMARY, judged.summary()]:
        terminalreporter.write_line(line)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """The server's log belongs to a failure."""
    outcome = yield
    report = outcome.get_result()
    if report.when == "call" and report.failed:
        for value in item.funcargs.values():
            if isinstance(value, harness.Server):
                report.sections.append((f"log of {value.state}", value.log()[-6000:]))
