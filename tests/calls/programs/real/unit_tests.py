# SPDX-License-Identifier: Apache-2.0
"""unittest with mocks, subtests and a failing test, its report into memory.

Durations are printed by unittest: only what is said of results is compared."""

import io
import unittest
from unittest import mock


class Tests(unittest.TestCase):
    def setUp(self):
        self.values = [1, 2, 3]

    def test_sum(self):
        self.assertEqual(sum(self.values), 6)

    def test_each(self):
        for value in self.values:
            with self.subTest(value=value):
                self.assertLess(value, 4)

    def test_mock(self):
        service = mock.Mock(return_value=3)
        service.method.side_effect = KeyError
        self.assertEqual(service(1, a=2), 3)
        service.assert_called_once_with(1, a=2)
        with self.assertRaises(KeyError):
            service.method()

    def test_failing(self):
        self.assertEqual([1], [2])


suite = unittest.defaultTestLoader.loadTestsFromTestCase(Tests)
result = unittest.TextTestRunner(io.StringIO()).run(suite)
print(result.testsRun, len(result.failures))
