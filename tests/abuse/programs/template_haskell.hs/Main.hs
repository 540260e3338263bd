{-# LANGUAGE TemplateHaskell #-}
-- Runs Attempts in the compiler, and prints what they came to.
module Main where
import Attempts
main :: IO ()
main = putStr $(compiled)
