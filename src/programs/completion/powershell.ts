/** `completion powershell`: for Windows PowerShell 5.1 and PowerShell 7. */
import { printed, type Script } from "./script.ts"

const script: Script = (tool, request) =>
  `# PowerShell completion for ${tool}

Register-ArgumentCompleter -Native -CommandName '${tool}' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $typed = "$wordToComplete"
    $elements = @($commandAst.CommandElements | Where-Object { $_.Extent.StartOffset -lt $cursorPosition })
    $program = "$($elements[0])"
    $words = @($elements | Select-Object -Skip 1 | Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
        ForEach-Object { if ($null -ne $_.Value) { "$($_.Value)" } else { "$_" } })
    # Before PowerShell 7.3 an empty argument gets lost on its way.
    $last = if ($typed -eq '' -and $PSVersionTable.PSVersion -lt [version]'7.3') { '""' } else { $typed }

    $answer = @(& $program ${request} @words $last 2>$null)
    if ($answer.Count -eq 0) { return }
    $directive = [int]$answer[-1].TrimStart(':')
    # Nothing given back: PowerShell completes names of files.
    if ($directive -eq 0) { return }

    $flag = if ($typed -match '^-[^=]*=') { $Matches[0] } else { '' }
    $found = @($answer | Select-Object -SkipLast 1 | Where-Object { "$flag$_".StartsWith($typed, [StringComparison]::Ordinal) })
    # An empty text keeps PowerShell from falling back to names of files.
    if ($found.Count -eq 0) { return '' }
    foreach ($line in $found) {
        $value, $about = $line -split [char]9, 2
        if (-not $about) { $about = $value }
        [System.Management.Automation.CompletionResult]::new("$flag$value", $value, 'ParameterValue', $about)
    }
}
`

export const run = printed(script)
