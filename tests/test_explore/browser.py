"""A real browser without a driver package: Chromium, spoken to in its DevTools protocol over two pipes."""

import base64
import json
import os
import select
import shutil
import subprocess
import time

#: Debian's name, and others'.
NAMES = ('chromium', 'chromium-browser', 'google-chrome')
OPTIONS = (
    '--headless=new',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-dev-shm-usage',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--hide-scrollbars',
    '--remote-debugging-pipe',
)


def find_browser():
    """The path of a browser; None where there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """One page of a headless Chromium, whose errors and requests are kept.

    Args:
        profile: A new folder.
        size: Width and height of the window.
    """

    def __init__(self, profile, size=(1280, 800)):
        (to_browser, self.out), (self.into, from_browser) = os.pipe(), os.pipe()
        # The browser reads from descriptor 3 and writes to 4.
        line = f'exec "$@" 3<&{to_browser} 4>&{from_browser}'
        command = [find_browser(), *OPTIONS, f'--user-data-dir={profile}', 'about:blank']
        with open(os.path.join(profile, 'stderr'), 'wb') as log:
            self.process = subprocess.Popen(
                ['bash', '-c', line, 'browser', *command],
                pass_fds=(to_browser, from_browser),
                stdout=log,
                stderr=log,
            )
        os.close(to_browser)
        os.close(from_browser)
        self.buffer, self.number, self.session = b'', 0, None
        self.errors, self.requests, self.loaded = [], [], False
        [page] = [one for one in self.call('Target.getTargets')['targetInfos'] if one['type'] == 'page']
        attached = self.call('Target.attachToTarget', targetId=page['targetId'], flatten=True)
        self.session = attached['sessionId']
        for domain in ('Page', 'Runtime', 'Log', 'Network'):
            self.call(f'{domain}.enable')
        self.resize(*size)

    def call(self, method, **parameters):
        """Calls a method of the protocol and returns its result."""
        self.number += 1
        message = dict(id=self.number, method=method, params=parameters)
        if self.session:
            message['sessionId'] = self.session
        os.write(self.out, json.dumps(message).encode() + b'\0')
        while True:
            answer = self.receive()
            if answer.get('id') == self.number:
                assert 'error' not in answer, f'{method}: {answer["error"]}'
                return answer['result']
            self.note(answer)

    def receive(self, seconds=60):
        """The next message of the browser."""
        while b'\0' not in self.buffer:
            ready, _, _ = select.select([self.into], [], [], seconds)
            part = os.read(self.into, 1 << 20) if ready else b''
            assert part, 'the browser does not answer'
            self.buffer += part
        message, _, self.buffer = self.buffer.partition(b'\0')
        return json.loads(message)

    def note(self, event):
        """Keeps what is said without being asked."""
        method, told = event.get('method'), event.get('params', {})
        if method == 'Runtime.exceptionThrown':
            self.errors.append(told['exceptionDetails'])
        elif method == 'Runtime.consoleAPICalled' and told['type'] in ('error', 'warning', 'assert'):
            self.errors.append(told['args'])
        elif method == 'Log.entryAdded' and told['entry']['level'] in ('error', 'warning'):
            self.errors.append(told['entry'])
        elif method == 'Network.requestWillBeSent':
            self.requests.append(told['request']['url'])
        elif method == 'Page.loadEventFired':
            self.loaded = True

    def open(self, page, fragment=''):
        """Opens a file anew, with a fragment of its address."""
        for address in ('about:blank', f'{page.as_uri()}{fragment}'):
            self.loaded, self.errors, self.requests = False, [], []
            self.call('Page.navigate', url=address)
            while not self.loaded:
                self.note(self.receive())

    def ask(self, expression):
        """The value of a JavaScript expression on the page."""
        result = self.call('Runtime.evaluate', expression=expression, returnByValue=True, awaitPromise=True)
        assert 'exceptionDetails' not in result, result['exceptionDetails']
        return result['result'].get('value')

    def resize(self, width, height, mobile=False):
        """Sets the size of the window."""
        size = dict(width=width, height=height, deviceScaleFactor=1, mobile=mobile)
        self.call('Emulation.setDeviceMetricsOverride', **size)

    def move(self, x, y):
        """Moves the mouse."""
        self.call('Input.dispatchMouseEvent', type='mouseMoved', x=x, y=y)

    def drag(self, start, *path):
        """Presses the left button, moves along a path and lets go; without a path, a click."""
        self.move(*start)
        button = dict(button='left', clickCount=1)
        self.call('Input.dispatchMouseEvent', type='mousePressed', x=start[0], y=start[1], **button)
        for x, y in path:
            self.call('Input.dispatchMouseEvent', type='mouseMoved', x=x, y=y, button='left', buttons=1)
        x, y = (start, *path)[-1]
        self.call('Input.dispatchMouseEvent', type='mouseReleased', x=x, y=y, **button)

    click = drag

    def press(self, key, text=None):
        """Presses a key and lets it go."""
        code = {'Enter': 13, 'Tab': 9, ' ': 32}.get(key, 0)
        text = {'Enter': '\r', ' ': ' '}.get(key, key if len(key) == 1 else '')
        told = dict(key=key, windowsVirtualKeyCode=code)
        self.call('Input.dispatchKeyEvent', type='keyDown', text=text, **told)
        self.call('Input.dispatchKeyEvent', type='keyUp', **told)

    def middle(self, expression):
        """The middle of an element on the screen, which is scrolled to if need be."""
        box = f'(({expression}).scrollIntoView({{block: "nearest"}}), ({expression}).getBoundingClientRect())'
        return self.ask(f'(({{x, y, width, height}}) => [x + width / 2, y + height / 2])({box})')

    def wait_for(self, expression, seconds=20):
        """Waits until an expression is true; fails after so many seconds."""
        deadline = time.monotonic() + seconds
        while not self.ask(f'Boolean({expression})'):
            assert time.monotonic() < deadline, expression
            time.sleep(0.05)

    def screenshot(self, path, full=False):
        """Takes a picture of the window, or of all of the page."""
        made = self.call('Page.captureScreenshot', format='png', captureBeyondViewport=full)
        path.write_bytes(base64.b64decode(made['data']))

    def close(self):
        """Ends the browser."""
        self.process.terminate()
        self.process.wait(30)
        os.close(self.out)
        os.close(self.into)
